/**
 * The block in the editor: which form, of which home, and how it will look.
 */
( function ( wp, settings ) {
	'use strict';

	const el = wp.element.createElement;
	const texts = settings.texts;
	const ID = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,40}$/;

	/* What was typed or stored, as the plugin's PHP reads it. */
	function id( value ) {
		const trimmed = String( value || '' ).trim();
		return ID.test( trimmed ) ? trimmed : '';
	}

	function formNamed( name ) {
		return settings.forms.find( ( form ) => form.name === name ) || settings.forms[ 0 ];
	}

	function address( attributes, estate ) {
		const path = [ 'forms', id( attributes.customer ) || settings.customer, attributes.form ];
		if ( attributes.form === 'viewing' && id( attributes.viewing ) && id( attributes.slot ) ) {
			path.push( id( attributes.viewing ), id( attributes.slot ) );
		} else if ( estate ) {
			path.push( estate );
		}
		return settings.service + '/' + path.map( encodeURIComponent ).join( '/' );
	}

	/* The form itself, to look at: nothing in it can be focused or sent. */
	function preview( attributes, estate ) {
		const query = attributes.title ? '?title=' + encodeURIComponent( attributes.title ) : '';
		return el( 'iframe', {
			src: address( attributes, estate ) + query,
			title: texts.preview,
			tabIndex: -1,
			inert: '',
			loading: 'lazy',
			style: { width: '100%', height: '32rem', border: 0, pointerEvents: 'none', display: 'block' },
		} );
	}

	function text( props, name, help ) {
		return el( wp.components.TextControl, {
			key: name,
			label: texts[ name ],
			help,
			value: props.attributes[ name ],
			onChange: ( value ) => props.setAttributes( { [ name ]: value } ),
		} );
	}

	function Edit( props ) {
		const attributes = props.attributes;
		const form = formNamed( attributes.form );
		const fromPost = wp.data.useSelect(
			( select ) => {
				const editor = select( 'core/editor' );
				const meta = editor && editor.getEditedPostAttribute && editor.getEditedPostAttribute( 'meta' );
				return ( meta && meta[ settings.estateField ] ) || '';
			},
			[]
		);
		const estate = form.needsEstate ? id( attributes.estate ) || id( fromPost ) : '';
		const slot = id( attributes.viewing ) && id( attributes.slot );
		let content;
		if ( ! settings.service ) {
			content = el( wp.components.Placeholder, { icon: 'feedback', label: 'Intresse' }, texts.missing );
		} else if ( form.needsEstate && ! estate && ! slot ) {
			content = el( wp.components.Placeholder, { icon: 'feedback', label: form.label }, texts.noEstate );
		} else {
			content = preview( attributes, estate );
		}
		const controls = [
			el( wp.components.SelectControl, {
				key: 'form',
				label: texts.form,
				value: form.name,
				options: settings.forms.map( ( choice ) => ( { label: choice.label, value: choice.name } ) ),
				onChange: ( value ) => props.setAttributes( { form: value } ),
			} ),
		];
		if ( form.needsEstate ) {
			controls.push( text( props, 'estate', texts.estateHelp ), text( props, 'title' ) );
		}
		if ( form.name === 'viewing' ) {
			controls.push( text( props, 'viewing' ), text( props, 'slot', texts.slotHelp ) );
		}
		controls.push(
			text( props, 'customer', texts.customerHelp ),
			el( wp.components.SelectControl, {
				key: 'theme',
				label: texts.theme,
				value: attributes.theme,
				options: Object.entries( texts.themes ).map( ( [ value, label ] ) => ( { value, label } ) ),
				onChange: ( value ) => props.setAttributes( { theme: value } ),
			} )
		);
		return el(
			wp.element.Fragment,
			null,
			el(
				wp.blockEditor.InspectorControls,
				null,
				el( wp.components.PanelBody, { title: texts.settings }, controls )
			),
			el( 'div', wp.blockEditor.useBlockProps(), content )
		);
	}

	wp.blocks.registerBlockType( 'intresse/form', {
		edit: Edit,
		save: () => null,
		variations: settings.forms.map( ( form, index ) => ( {
			name: form.name,
			title: 'Intresse: ' + form.label,
			attributes: { form: form.name },
			isDefault: index === 0,
			isActive: ( attributes ) => attributes.form === form.name,
		} ) ),
	} );
} )( window.wp, window.intresseBlock );
